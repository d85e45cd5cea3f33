/** Bytes that are no frame, or none that the network takes; the message says what, where and what would be right. */
export class FrameFault extends Error {
  override readonly name = 'FrameFault';
}
