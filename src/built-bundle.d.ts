// What dist/gen/bundle.js exports, for the type checker of a tree in which nothing was built yet.
declare module "*/dist/gen/bundle.js" {
  export const BUNDLE: import("./bundle.ts").Bundle;
}
