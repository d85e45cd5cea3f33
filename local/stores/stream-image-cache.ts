import type { Segment } from './stream-segment.ts';

export type ImageCache = ReturnType<typeof createImageCache>;

/** Keeps the images of those sealed segments that were read last; the others stay on disk only. */
export function createImageCache(budgetBytes: number) {
  const recent = new Set<Segment>();
  let bytes = 0;

  const forget = (segment: Segment): void => {
    if (recent.delete(segment)) bytes -= segment.committedBytes;
  };

  return {
    forget,
    touch(segment: Segment): void {
      forget(segment);
      recent.add(segment);
      bytes += segment.committedBytes;
      for (const oldest of recent) {
        if (bytes <= budgetBytes || oldest === segment) return;
        forget(oldest);
        oldest.image = undefined;
      }
    },
  };
}
