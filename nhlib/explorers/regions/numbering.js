/**
 * Give equal codes, of as many words each, one number, counted from 0 in the order of their first
 * example.
 * @param {Uint32Array} codes
 * @param {number} words
 */
export const numbered = (codes, words) => {
  const n = codes.length / words;
  const numbers = new Int32Array(n);
  const size = 1 << Math.ceil(Math.log2(2 * n + 2));
  const table = new Int32Array(size).fill(-1); // open addressing: the first example of a code
  let distinct = 0;
  for (let i = 0; i < n; i++) {
    const start = i * words;
    let hash = 0;
    for (let w = 0; w < words; w++) {
      hash = Math.imul(hash ^ codes[start + w], 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    let place = hash & (size - 1);
    for (;;) {
      const other = table[place];
      if (other < 0) {
        table[place] = i;
        numbers[i] = distinct++;
        break;
      }
      let w = 0;
      while (w < words && codes[other * words + w] === codes[start + w]) w++;
      if (w === words) {
        numbers[i] = numbers[other];
        break;
      }
      place = (place + 1) & (size - 1);
    }
  }
  return { numbers, distinct };
};
