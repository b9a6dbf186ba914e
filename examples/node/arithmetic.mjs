// Arithmetic that a library would give: sums, medians, and the little of linear algebra that memories need.

import { refuse } from "./refusal.mjs";

export const sum = (values) => values.reduce((all, each) => all + each, 0);
export const mean = (values) => sum(values) / values.length;
export const gcd = (a, b) => (b ? gcd(b, a % b) : a);
const square = (size) => Array.from({ length: size }, () => new Float64Array(size));

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** The whole of a symmetric matrix whose lower triangle is given, row by row. */
export function triangle(values, size) {
  const whole = square(size);
  for (let i = 0, at = 0; i < size; i++) for (let j = 0; j <= i; j++, at++) whole[i][j] = whole[j][i] = values[at];
  return whole;
}

/** Lower Cholesky factor. */
export function cholesky(matrix) {
  const lower = square(matrix.length);
  for (let i = 0; i < matrix.length; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = matrix[i][j];
      for (let k = 0; k < j; k++) rest -= lower[i][k] * lower[j][k];
      if (i === j && !(rest > 0)) refuse("a covariance of the file is not positive definite; enroll again");
      lower[i][j] = i === j ? Math.sqrt(rest) : rest / lower[j][j];
    }
  }
  return lower;
}

/** What a lower triangular matrix makes a row from. */
export function solved(lower, row) {
  const found = new Float64Array(row.length);
  for (let i = 0; i < row.length; i++) {
    let rest = row[i];
    for (let k = 0; k < i; k++) rest -= lower[i][k] * found[k];
    found[i] = rest / lower[i][i];
  }
  return found;
}

/** Sums over rows [n][d] of the products of their numbers, [d][d]. */
export function products(rows, d) {
  const found = square(d);
  for (const row of rows) for (let i = 0; i < d; i++) for (let j = 0; j <= i; j++) found[i][j] += row[i] * row[j];
  for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) found[j][i] = found[i][j];
  return found;
}
