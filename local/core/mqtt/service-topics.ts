/** What a client asks the service itself, by publishing. */
export interface Asked {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly clientId: string;
  readonly principal: string;
}

export interface ServiceAnswer {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** Reserved topics that the service answers on: the answer is for the client that asked, and nobody else. */
export interface ServiceTopics {
  /** Whether clients ask on this topic. */
  readonly takes: (topic: string) => boolean;
  /** Whether they hear answers by this filter. */
  readonly answersOn: (filter: string) => boolean;
  /** Rejects only for a fault of the service. */
  readonly ask: (asked: Asked) => Promise<ServiceAnswer>;
}
