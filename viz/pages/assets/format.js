// @ts-check
// Numbers as text.

/**
 * Return a number to some significant digits, as engine.formatting.format_number does; it always looks like a float.
 * @param {number} x
 * @param {number} precision
 */
function formatNumber(x, precision = 6) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
  let text = Math.abs(x).toExponential(precision - 1);
  // oxlint-disable-next-line number-arg-out-of-range -- 100 digits are allowed
  const exact = Math.abs(x).toExponential(100).replace(/0*e/, "e");
  // Halfway between two texts Python takes the even one, JavaScript the larger one.
  if (exact.replace(/\D/, "").indexOf("5e") === precision) {
    const lower = exact.slice(0, exact.indexOf("5e")).replace(/\.$/, "");
    if (Number(lower.at(-1)) % 2 === 0) text = lower + exact.slice(exact.indexOf("e"));
  }
  const [digits, exponent] = text.split("e");
  const e = Number(exponent);
  const significant = digits.replace(".", "").replace(/0+$/, "") || "0";
  const sign = x < 0 ? "-" : "";
  if (e < -4 || e >= precision) {
    const mantissa = significant.length > 1 ? `${significant[0]}.${significant.slice(1)}` : significant;
    return `${sign}${mantissa}e${e < 0 ? "-" : "+"}${String(Math.abs(e)).padStart(2, "0")}`;
  }
  const fixed = "0".repeat(Math.max(0, -e)) + significant.padEnd(e + 2, "0");
  const point = Math.max(0, e) + 1;
  return `${sign}${fixed.slice(0, point)}.${fixed.slice(point)}`;
}
