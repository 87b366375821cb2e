// The password rules: what is refused, what is not, and that hashes verify.
import { expect, test } from "bun:test";
import { COMMON_WORDS, isCommonPassword } from "../../../src/services/desk/common-passwords.ts";
import { hashPassword, passwordProblem } from "../../../src/services/desk/passwords.ts";

const COMMON = [
  "password1234",
  "Password123!",
  "P@ssw0rd1234",
  "passwordpassword",
  "qwertyuiopas",
  "1q2w3e4r5t6y",
  "123456789012",
  "098765432109",
  "abcdefghijkl",
  "dragondragon",
  "dragonmaster",
  "Tr@dingB0t2024",
  "letmeinplease",
  "iloveyou2024!",
  "aaaaaaaaaaaa",
  "abcabcabcabc",
  "correcthorsebatterystaple",
  "summer-2024-summer",
  "bitcoin-to-the-moon".replaceAll("-to-the-", ""),
  "19841984198419",
];

for (const password of COMMON) {
  test(`"${password}" is common`, () => expect(isCommonPassword(password)).toBe(true));
}

const GOOD = [
  "plum-harbour-nine-otters",
  "xK9#mQ2$vL7!",
  "gXh2kd93lqpz",
  "ein-rotes-fahrrad-am-see",
  "Zwölf Boxkämpfer jagen",
  "quokka teapot lantern",
];

for (const password of GOOD) {
  test(`"${password}" is accepted`, () => {
    expect(passwordProblem(password, "ann@example.org")).toBeUndefined();
  });
}

test("length, variety and the e-mail are looked at, and the password is never in the sentence", () => {
  const cases: [string, string][] = [
    ["elevenchars", "11 characters"],
    ["x".repeat(257), "257 characters"],
    ["abababababab", "different"],
    ["marianne.k@example.org", "e-mail address"],
    ["marianne.k12", "e-mail address"],
  ];
  for (const [password, says] of cases) {
    const problem = passwordProblem(password, "marianne.k@example.org");
    expect(problem).toContain(says);
    expect(problem).not.toContain(password);
  }
});

test("the packaged list holds some hundred words", () => {
  expect(COMMON_WORDS.size).toBeGreaterThan(400);
});

test("a hash is Argon2id, differs each time and verifies; a refused password is not hashed", async () => {
  const [a, b] = await Promise.all([
    hashPassword("plum-harbour-nine-otters", "a@b"),
    hashPassword("plum-harbour-nine-otters", "a@b"),
  ]);
  expect(a).toStartWith("$argon2id$");
  expect(a).not.toBe(b);
  expect(await Bun.password.verify("plum-harbour-nine-otters", a)).toBe(true);
  await expect(hashPassword("password1234", "a@b")).rejects.toThrow("guessing");
});
