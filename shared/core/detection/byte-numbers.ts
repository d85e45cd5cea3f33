/* Numbers of three bytes, which `DataView` does not know. */

const binary32 = new DataView(new ArrayBuffer(4));

/** Writes the upper three bytes of a binary32, little-endian; of a number that `f24` has rounded that is all. */
export function setF24(view: DataView, at: number, value: number): void {
  binary32.setFloat32(0, value);
  view.setUint8(at, binary32.getUint8(2));
  view.setUint16(at + 1, binary32.getUint16(0), true);
}

export function getF24(view: DataView, at: number): number {
  binary32.setUint16(0, view.getUint16(at + 1, true));
  binary32.setUint16(2, view.getUint8(at) << 8);
  return binary32.getFloat32(0);
}

/** Writes a whole number of 24 bits with sign, little-endian. */
export function setI24(view: DataView, at: number, value: number): void {
  view.setUint16(at, value & 0xffff, true);
  view.setInt8(at + 2, value >> 16);
}

export const getI24 = (view: DataView, at: number): number =>
  view.getUint16(at, true) | (view.getInt8(at + 2) << 16);
