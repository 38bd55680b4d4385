// Bytes that a page embeds: they may stand anywhere in their buffer.

/** @type {(view: DataView) => Uint8Array} */
export const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/**
 * A copy, for numbers of several bytes each.
 * @type {(view: DataView) => ArrayBuffer}
 */
export const bufferOf = (view) => bytesOf(view).slice().buffer;
