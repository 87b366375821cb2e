// The name of the exchange inside the product. Markets of demo accounts carry it, so that their candles are
// never taken for those of the exchange it imitates.

/** Our id of the simulated exchange; it speaks as WOO X does and exists on loopback only. */
export const DEMO_EXCHANGE = "demo";
