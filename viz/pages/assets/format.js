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
  let result;
  if (e < -4 || e >= precision) {
    const mantissa = significant.length > 1 ? `${significant[0]}.${significant.slice(1)}` : significant;
    result = `${mantissa}e${e < 0 ? "-" : "+"}${String(Math.abs(e)).padStart(2, "0")}`;
  } else if (e < 0) {
    result = `0.${"0".repeat(-e - 1)}${significant}`;
  } else {
    result = `${significant.slice(0, e + 1).padEnd(e + 1, "0")}.${significant.slice(e + 1) || "0"}`;
  }
  return x < 0 ? `-${result}` : result;
}
