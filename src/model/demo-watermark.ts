// The words on everything that invented prices are part of: pages and exported files. Beside demo-exchange.ts,
// because views, web and services write the same ones.

/** Stands above pages and in files; holds a comma, so CSV quotes it. */
export const DEMO_WATERMARK = "Demo: invented prices, no real money";
