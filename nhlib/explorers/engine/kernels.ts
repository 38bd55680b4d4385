// Products of matrices, four numbers at a time: AssemblyScript, of which `kernels.wasm` is made by
//
//   npm run --prefix tests/javascript kernels
//
// Addresses are in bytes. The page's scripts lay out the memory; nothing here allocates.

/**
 * Rows · inner times inner · columns. The first matrix has its numbers `rowStep` and `innerStep`
 * bytes apart, so that it may be transposed; the others stand row by row. Every row of the result
 * begins as the numbers at `start`. Rows and columns are multiples of four.
 */
export function product(
  first: usize,
  rowStep: usize,
  innerStep: usize,
  second: usize,
  start: usize,
  result: usize,
  rows: i32,
  inner: i32,
  columns: i32,
): void {
  const width = (<usize>columns) << 2;
  for (let row = 0; row < rows; row += 4) {
    const a0 = first + <usize>row * rowStep;
    const c0 = result + <usize>row * width;
    let at: usize = 0;
    // Tiles of 4 × 8 have eight sums in registers, and load six times for sixteen operations.
    for (; at + 32 <= width; at += 32) {
      let s00 = v128.load(start + at),
        s01 = v128.load(start + at, 16);
      let s10 = s00,
        s11 = s01,
        s20 = s00,
        s21 = s01,
        s30 = s00,
        s31 = s01;
      let a = a0;
      let b = second + at;
      for (let k = 0; k < inner; k++) {
        const b0 = v128.load(b),
          b1 = v128.load(b, 16);
        const x0 = v128.load32_splat(a);
        s00 = f32x4.add(s00, f32x4.mul(x0, b0));
        s01 = f32x4.add(s01, f32x4.mul(x0, b1));
        const x1 = v128.load32_splat(a + rowStep);
        s10 = f32x4.add(s10, f32x4.mul(x1, b0));
        s11 = f32x4.add(s11, f32x4.mul(x1, b1));
        const x2 = v128.load32_splat(a + 2 * rowStep);
        s20 = f32x4.add(s20, f32x4.mul(x2, b0));
        s21 = f32x4.add(s21, f32x4.mul(x2, b1));
        const x3 = v128.load32_splat(a + 3 * rowStep);
        s30 = f32x4.add(s30, f32x4.mul(x3, b0));
        s31 = f32x4.add(s31, f32x4.mul(x3, b1));
        a += innerStep;
        b += width;
      }
      let c = c0 + at;
      v128.store(c, s00);
      v128.store(c, s01, 16);
      c += width;
      v128.store(c, s10);
      v128.store(c, s11, 16);
      c += width;
      v128.store(c, s20);
      v128.store(c, s21, 16);
      c += width;
      v128.store(c, s30);
      v128.store(c, s31, 16);
    }
    if (at < width) {
      let s0 = v128.load(start + at);
      let s1 = s0,
        s2 = s0,
        s3 = s0;
      let a = a0;
      let b = second + at;
      for (let k = 0; k < inner; k++) {
        const b0 = v128.load(b);
        s0 = f32x4.add(s0, f32x4.mul(v128.load32_splat(a), b0));
        s1 = f32x4.add(s1, f32x4.mul(v128.load32_splat(a + rowStep), b0));
        s2 = f32x4.add(s2, f32x4.mul(v128.load32_splat(a + 2 * rowStep), b0));
        s3 = f32x4.add(s3, f32x4.mul(v128.load32_splat(a + 3 * rowStep), b0));
        a += innerStep;
        b += width;
      }
      let c = c0 + at;
      v128.store(c, s0);
      c += width;
      v128.store(c, s1);
      c += width;
      v128.store(c, s2);
      c += width;
      v128.store(c, s3);
    }
  }
}

/** In place, 0 for what is below it: `n` numbers, a multiple of four. */
export function rectify(values: usize, n: i32): void {
  const zero = f32x4.splat(0);
  for (let at: usize = 0; at < (<usize>n) << 2; at += 16) {
    v128.store(values + at, f32x4.max(v128.load(values + at), zero));
  }
}

/** In place, 0 for slopes whose unit is off: `n` of them, a multiple of four. */
export function switchOff(slopes: usize, values: usize, n: i32): void {
  const zero = f32x4.splat(0);
  for (let at: usize = 0; at < (<usize>n) << 2; at += 16) {
    const on = f32x4.gt(v128.load(values + at), zero);
    v128.store(slopes + at, v128.and(v128.load(slopes + at), on));
  }
}

/** The sums of the columns of a matrix, of which there is a multiple of four. */
export function sumColumns(matrix: usize, sums: usize, rows: i32, columns: i32): void {
  const width = (<usize>columns) << 2;
  for (let at: usize = 0; at < width; at += 16) {
    let sum = f32x4.splat(0);
    let from = matrix + at;
    for (let row = 0; row < rows; row++) {
      sum = f32x4.add(sum, v128.load(from));
      from += width;
    }
    v128.store(sums + at, sum);
  }
}

/**
 * A step of Adam, as PyTorch takes it, on `n` weights, a multiple of four: `size` is the learning
 * rate over the first correction, `root` the root of the second one.
 */
export function adam(
  weights: usize,
  slopes: usize,
  firsts: usize,
  seconds: usize,
  n: i32,
  penalty: f64,
  beta1: f64,
  beta2: f64,
  size: f64,
  root: f64,
  epsilon: f64,
): void {
  const decay = f32x4.splat(<f32>penalty),
    keep = f32x4.splat(<f32>beta2);
  const give1 = f32x4.splat(<f32>(1 - beta1)),
    give2 = f32x4.splat(<f32>(1 - beta2));
  const sizes = f32x4.splat(<f32>size),
    roots = f32x4.splat(<f32>root);
  const least = f32x4.splat(<f32>epsilon);
  for (let at: usize = 0; at < (<usize>n) << 2; at += 16) {
    const weight = v128.load(weights + at);
    const slope = f32x4.add(v128.load(slopes + at), f32x4.mul(decay, weight));
    let first = v128.load(firsts + at);
    first = f32x4.add(first, f32x4.mul(give1, f32x4.sub(slope, first)));
    const second = f32x4.add(
      f32x4.mul(keep, v128.load(seconds + at)),
      f32x4.mul(give2, f32x4.mul(slope, slope)),
    );
    const spread = f32x4.add(f32x4.div(f32x4.sqrt(second), roots), least);
    v128.store(weights + at, f32x4.sub(weight, f32x4.div(f32x4.mul(sizes, first), spread)));
    v128.store(firsts + at, first);
    v128.store(seconds + at, second);
  }
}

/** Bits in which codes of `width` words differ, for each of `n` queries and `m` others. */
export function hamming(
  queries: usize,
  others: usize,
  apart: usize,
  n: i32,
  m: i32,
  width: i32,
): void {
  const step = (<usize>width) << 2;
  for (let i = 0; i < n; i++) {
    let other = others;
    for (let j = 0; j < m; j++) {
      let bits = 0;
      for (let at: usize = 0; at < step; at += 4) {
        bits += popcnt<i32>(load<i32>(queries + at) ^ load<i32>(other + at));
      }
      store<i32>(apart, bits);
      apart += 4;
      other += step;
    }
    queries += step;
  }
}
