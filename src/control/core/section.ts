// A section: lines of the configuration that have an order, as rules have, and whose first word says whose they are. Settings have
// none: each says what it is, wherever it stands (setting.ts).
//
// The registry keeps a section's lines as text (sections.ts), in the order in which they were added, and saves, lists, exports
// and compares them. The part knows what they bring about. Where that is nothing but the text, as of notes, it has no state.
//
//    typed     the part's own command does it, and then tells sections.append() or splice(), and registry.changed()
//    saved     clear(), then take() of each line; of a section that takes all or none begin() before and end() behind
//    imported, confirmed, reverted: the same, and if one is refused, once more with the lines of before

export interface Section {
  /** First words of its lines. */
  readonly words: readonly string[];
  /** Brings about a line behind those that it has; throws a Refusal. It is not to tell the registry. */
  take(line: string): void;
  /** As without lines. */
  clear(): void;
  /** From here to end() lines are gathered, and what is in force stays in force. */
  begin?(): void;
  /** Puts what was gathered in force, or forgets it; throws a Refusal, and then it is forgotten. */
  end?(isTaken: boolean): void;
  /** What its lines have brought about outlives control. Others take them again after a restart. */
  readonly inPlane?: boolean;
  /** A line of it that changes something may end in `confirm MINUTES`. */
  readonly isConfirmed?: boolean;
}
