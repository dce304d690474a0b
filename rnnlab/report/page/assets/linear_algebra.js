// Matrices of n × n numbers in float64, n even, row after row in one Float64Array.

// out = A B
export function multiply(A, B, out, n) {
  out.fill(0);
  for (let i = 0; i < n * n; i += n) {
    for (let k = 0; k < n; k += 2) {
      const a = A[i + k], b = A[i + k + 1], row = k * n, next = row + n;
      for (let j = 0; j < n; j++) out[i + j] += a * B[row + j] + b * B[next + j];
    }
  }
}

// A += B
export function add(A, B) {
  for (let i = 0; i < A.length; i++) A[i] += B[i];
}

// A += diag(entries)
export function addDiagonal(A, entries) {
  for (let u = 0, n = entries.length; u < n; u++) A[u * n + u] += entries[u];
}

// out = diag(factors) A
export function scaleRows(A, factors, out) {
  for (let i = 0, at = 0, n = factors.length; i < n; i++) {
    for (const end = at + n, factor = factors[i]; at < end; at++) out[at] = factor * A[at];
  }
}

// A ← A diag(factors)
export function scaleColumns(A, factors) {
  for (let row = 0, n = factors.length; row < A.length; row += n) {
    for (let j = 0; j < n; j++) A[row + j] *= factors[j];
  }
}

// The root of the sum of squares: of a vector its length, of a matrix the Frobenius norm.
export function size(A) {
  let squares = 0;
  for (let i = 0; i < A.length; i++) squares += A[i] ** 2;
  return Math.sqrt(squares);
}

// The largest singular value: the root of the largest eigenvalue of AᵀA.
export function spectralNorm(A, n) {
  const G = new Float64Array(n * n);
  for (let k = 0; k < n * n; k += 2 * n) {
    for (let i = 0; i < n; i++) {
      const a = A[k + i], b = A[k + n + i], row = i * n;
      for (let j = 0; j <= i; j++) G[row + j] += a * A[k + j] + b * A[k + n + j];
    }
  }
  return Math.sqrt(greatestEigenvalue(...tridiagonal(G, n)));
}

// Householder's reduction of a symmetric matrix, whose lower half it overwrites: the diagonal, and
// the squares of the entries beside it.
function tridiagonal(G, n) {
  const [diagonal, squares, v, w] = Array.from({ length: 4 }, () => new Float64Array(n));
  for (let k = 0; k < n - 1; k++) {
    for (let i = k + 1; i < n; i++) squares[k] += (v[i] = G[i * n + k]) ** 2;
    if (squares[k] === 0) continue;
    const length = Math.sqrt(squares[k]);
    v[k + 1] += v[k + 1] < 0 ? -length : length;
    const factor = 1 / Math.abs(v[k + 1] * length); // 2/(vᵀv)
    w.fill(0);
    for (let i = k + 1; i < n; i++) {
      const ofThis = v[i], row = i * n;
      let dot = G[row + i] * ofThis;
      for (let j = k + 1; j < i; j++) {
        dot += G[row + j] * v[j];
        w[j] += G[row + j] * ofThis;
      }
      w[i] += dot;
    }
    let along = 0;
    for (let i = k + 1; i < n; i++) along += w[i] * v[i];
    for (let i = k + 1; i < n; i++) w[i] = factor * (w[i] - 0.5 * factor * along * v[i]);
    for (let i = k + 1; i < n; i++) {
      const vThis = v[i], wThis = w[i], row = i * n;
      for (let j = k + 1; j <= i; j++) G[row + j] -= vThis * w[j] + wThis * v[j];
    }
  }
  for (let i = 0; i < n; i++) diagonal[i] = G[i * n + i];
  return [diagonal, squares];
}

// Of a positive symmetric tridiagonal matrix, by bisection (Sturm).
function greatestEigenvalue(diagonal, squares) {
  let below = Math.max(...diagonal), above = diagonal.reduce((sum, entry) => sum + entry);
  while (above - below > 2 * Number.EPSILON * above) {
    const middle = (below + above) / 2;
    let pivot = diagonal[0] - middle;
    for (let i = 1; i < diagonal.length && pivot < 0; i++) {
      pivot = diagonal[i] - middle - squares[i - 1] / pivot;
    }
    if (pivot < 0) above = middle;
    else below = middle;
  }
  return above;
}

// Eigenvalues of any real matrix by Francis' double steps (Golub & Van Loan, section 7.5): [re, im]
export function eigenvalues(A, n) {
  const H = A.slice(), v = new Float64Array(n), at = (i, j) => H[i * n + j], found = [];
  for (let k = 1; k < n - 1; k++) reflect(H, n, column(H, n, k, n, k - 1, v), k, 0, 0, n);
  for (let last = n - 1, tries = 0; last >= 0;) {
    let first = last;
    while (first > 0 && Math.abs(at(first, first - 1)) > Number.EPSILON
      * (Math.abs(at(first - 1, first - 1)) + Math.abs(at(first, first)))) first -= 1;
    if (last - first > 1) francisStep(H, n, first, last, v, ++tries % 10 === 0);
    else {
      found.push(...ofBlock(at(first, first), at(last, last),
        first < last ? at(first, last) * at(last, first) : 0).slice(first - last - 1));
      [last, tries] = [first - 1, 0];
    }
  }
  return found;
}

// Entries of rows `from` to `to` of column j, as the start of v.
function column(H, n, from, to, j, v) {
  for (let i = from; i < to; i++) v[i - from] = H[i * n + j];
  return v.subarray(0, to - from);
}

// H ← P H P with the reflection P that turns v, of the rows from `row` on, into the first axis; v
// is overwritten. H is zero in columns before `left`, and counts in rows `top` to `bottom`.
function reflect(H, n, v, row, left, top, bottom) {
  const length = size(v);
  if (length === 0) return;
  v[0] += v[0] < 0 ? -length : length;
  const factor = 1 / (length * Math.abs(v[0]));
  for (let j = left; j < n; j++) {
    let dot = 0;
    for (let i = 0; i < v.length; i++) dot += v[i] * H[(row + i) * n + j];
    for (let i = 0; i < v.length; i++) H[(row + i) * n + j] -= factor * dot * v[i];
  }
  for (let i = top, start = top * n + row; i < bottom; i++, start += n) {
    let dot = 0;
    for (let j = 0; j < v.length; j++) dot += v[j] * H[start + j];
    for (let j = 0; j < v.length; j++) H[start + j] -= factor * dot * v[j];
  }
}

function francisStep(H, n, first, last, v, isCycle) {
  const at = (i, j) => H[i * n + j], [e, f, next] = [last - 1, last, first + 1];
  const size = Math.abs(at(f, e)) + Math.abs(at(e, e - 1));
  const trace = isCycle ? 1.5 * size : at(e, e) + at(f, f);
  const determinant = isCycle ? size * size : at(e, e) * at(f, f) - at(e, f) * at(f, e);
  const a = at(first, first), below = at(next, first);
  v[0] = a * a + at(first, next) * below - trace * a + determinant;
  v[1] = below * (a + at(next, next) - trace);
  v[2] = below * at(next + 1, next);
  for (let k = first, x = v.subarray(0, 3); k < last; k++) {
    reflect(H, n, x, k, Math.max(first, k - 1), first, Math.min(k + 4, last + 1));
    x = column(H, n, k + 1, Math.min(k + 4, last + 1), k, v);
  }
}

// Of a block of two rows, by its diagonal and the product of what stands beside it.
function ofBlock(a, d, product) {
  const square = ((a - d) / 2) ** 2 + product, middle = (a + d) / 2;
  const root = Math.sqrt(Math.abs(square));
  return square < 0 ? [[middle, root], [middle, -root]] : [[middle + root, 0], [middle - root, 0]];
}
