// The rows of the table, which engine/languages.py writes into each page.
declare const RULES: Row[];
