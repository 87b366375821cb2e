// A thread's program that begins whatever it is asked and never ends, for tests of cancelling.
declare const self: Worker;

self.addEventListener("message", () => {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  for (;;) Atomics.wait(nothing, 0, 0, 1000);
});
