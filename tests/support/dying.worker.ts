// A thread's program that dies of whatever it is asked, for tests of what happens to the run.
declare const self: Worker;

self.addEventListener("message", () => process.exit(9));
