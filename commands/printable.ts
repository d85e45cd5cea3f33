/**
 * Text of a device's making, fit for a terminal: control characters and those that turn the direction of writing would
 * act on the screen, and are shown as `�`.
 */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '�');
