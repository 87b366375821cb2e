// What dist/gen/bundle.ts exports, for the type checker of a tree in which nothing was built yet.
declare module "*/dist/gen/bundle.ts" {
  export const BUNDLE: import("./bundle.ts").Bundle;
}
