// The rows of the table, which engine/languages.py writes into each page.
declare const RULES: Row[];
// The steps of the optimizers, which viz/pages/playground_update.py writes.
declare const UPDATES: Record<string, { states: number, update: (
  parameters: Float64Array, gradients: Float64Array, state: Float64Array[], results: Float64Array[],
  settings: Record<string, number>,
) => boolean }>;
