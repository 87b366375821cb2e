// Rewrites one source file as it is loaded, to see whether the tests notice that a protection is gone.
// Preloaded into a child process by guards.ts, which hands over what to rewrite; never part of the program.
import { plugin } from "bun";
import { parseRewrites, rewritten } from "./rewrite.ts";

const rewrites = parseRewrites(process.env.DRAGON_TEST_REWRITES ?? "[]");

plugin({
  name: "rewrite",
  setup(build) {
    for (const file of new Set(rewrites.map((rewrite) => rewrite.file))) {
      const filter = new RegExp(`/${file.replaceAll(".", "\\.")}$`);
      build.onLoad({ filter }, async ({ path }) => {
        const own = rewrites.filter((rewrite) => rewrite.file === file);
        const contents = own.reduce(rewritten, await Bun.file(path).text());
        return { contents, loader: "ts" };
      });
    }
  },
});
