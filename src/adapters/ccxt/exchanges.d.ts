// What dist/gen/exchanges.ts exports, for the type checker of a tree in which it is not generated
// yet.
declare module "*/dist/gen/exchanges.ts" {
  export const exchanges: Record<string, () => Promise<unknown>>;
}
