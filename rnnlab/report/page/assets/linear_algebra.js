// Matrices in float64, row after row in one Float64Array; n × n where nothing else is said.

const CLOSE = 1e-13;

/** diag(entries) */
export function diagonal(entries) {
  const n = entries.length, out = new Float64Array(n * n);
  for (let u = 0; u < n; u++) out[u * n + u] = entries[u];
  return out;
}

/** diag(rows) A diag(columns), added to `out`. */
export function scaled(rows, A, columns, out = new Float64Array(A.length)) {
  for (let i = 0, at = 0; i < rows.length; i++) {
    for (let j = 0; j < columns.length; j++, at++) out[at] += rows[i] * A[at] * columns[j];
  }
  return out;
}

/** A B, added to `out`; two rows of B at a time: n is even. */
export function product(A, B, n, out = new Float64Array(A.length)) {
  for (let i = 0; i < A.length; i += n) {
    for (let k = 0; k < n; k += 2) {
      const a = A[i + k], b = A[i + k + 1], row = k * n, next = row + n;
      for (let j = 0; j < n; j++) out[i + j] += a * B[row + j] + b * B[next + j];
    }
  }
  return out;
}

/** A v + b */
export function affine(A, v, b) {
  const out = b.slice();
  for (let i = 0, at = 0; i < b.length; i++) {
    for (let j = 0; j < v.length; j++, at++) out[i] += A[at] * v[j];
  }
  return out;
}

/** The root of the sum of squares: of a vector its length, of a matrix the Frobenius norm. */
export function norm(A) {
  let squares = 0;
  for (let i = 0; i < A.length; i++) squares += A[i] * A[i];
  return Math.sqrt(squares);
}

/** The largest singular value: that of the bidiagonal Q A P (Golub & Van Loan, section 5.4.8). */
export function spectralNorm(A) {
  const n = Math.sqrt(A.length), B = A.slice(), squares = [], whole = norm(A);
  for (let k = 0, at = 0; k < n; k++, at += n + 1) {
    reflect(B, mirror(B, at, n, n - k), at, n, 1, n - k);
    reflect(B, mirror(B, at + 1, 1, n - k - 1), at + 1, 1, n, n - k);
    squares.push(B[at] ** 2, B[at + 1] ** 2);
  }
  // It is the greatest eigenvalue of a matrix whose diagonal is 0, with the entries of the
  // bidiagonal one beside it. Below it, a pivot is positive (Sturm).
  const isBelow = (x) => {
    let pivot = -x;
    for (let i = 0; i < 2 * n - 1 && pivot < 0; i++) pivot = -x - squares[i] / pivot;
    return pivot >= 0;
  };
  return crossing(isBelow, whole / Math.sqrt(n), whole);
}

/** Where a condition that holds at `low` ends before `high`, by bisection. */
export function crossing(holds, low, high) {
  while (high - low > CLOSE * high) {
    const middle = (low + high) / 2;
    [low, high] = holds(middle) ? [middle, high] : [low, middle];
  }
  return high;
}

// The reflection 1 − v vᵀ that turns a vector within A into the first axis: v.
function mirror(A, start, stride, length) {
  const v = [];
  for (let i = 0; i < length; i++) v.push(A[start + i * stride]);
  const size = norm(v);
  if (size === 0) return v;
  v[0] += v[0] < 0 ? -size : size;
  const factor = 1 / Math.sqrt(size * Math.abs(v[0]));
  for (let i = 0; i < length; i++) v[i] *= factor;
  return v;
}

// Reflects `count` vectors within A, two at a time; each starts `apart` from the one before.
function reflect(A, v, start, stride, apart, count) {
  for (let k = 0, first = start; k < count; k += 2, first += 2 * apart) {
    const next = k + 1 < count ? apart : 0;
    let a = 0, b = 0;
    for (let i = 0, at = first; i < v.length; i++, at += stride) {
      a += v[i] * A[at];
      b += v[i] * A[at + next];
    }
    for (let i = 0, at = first; i < v.length; i++, at += stride) {
      A[at] -= a * v[i];
      if (next) A[at + next] -= b * v[i];
    }
  }
}

/** Eigenvalues [re, im] */
export function eigenvalues(A) {
  const n = Math.sqrt(A.length), matrix = mlMatrix.Matrix.from1DArray(n, n, A);
  const { realEigenvalues, imaginaryEigenvalues } = new mlMatrix.EVD(matrix);
  return realEigenvalues.map((re, i) => [re, imaginaryEigenvalues[i]]);
}
