// The time zones that forms offer, UTC first. Read once; used by routes with a zone field.

/** IANA names. */
export const TIME_ZONES: readonly string[] = [
  "UTC",
  ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC"),
];
