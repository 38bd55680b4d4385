// Bytes that a page embeds: they may stand anywhere in their buffer.

/** @type {(view: DataView) => Uint8Array} */
export const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/**
 * A copy, for numbers of several bytes each.
 * @type {(view: DataView) => ArrayBuffer}
 */
export const bufferOf = (view) => bytesOf(view).slice().buffer;

/**
 * The bytes of a file that the bundle holds as base64.
 * @type {(base64: string) => Uint8Array<ArrayBuffer>}
 */
export const bytesFrom = (base64) =>
  Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/**
 * n numbers that are packed into five bits each.
 * @type {(packed: Uint8Array, n: number) => Uint8Array}
 */
export const fivesOf = (packed, n) =>
  Uint8Array.from({ length: n }, (_, i) => {
    const [byte, shift] = [(5 * i) >> 3, (5 * i) & 7];
    return (((packed[byte] << 8) | (packed[byte + 1] ?? 0)) >> (11 - shift)) & 31;
  });
