// Binary files that a bundle embeds: what imports one gets its bytes as base64.
declare module "*.bin" {
  const base64: string;
  export default base64;
}
declare module "*.wasm" {
  const base64: string;
  export default base64;
}
