// Words and patterns that common passwords are made of. Used by password.ts, which first undoes
// the usual disguises (digits for letters, trailing numbers and signs, repetition).

/** Base words of leaked passwords, lower case, without digits; compared after reduction. */
const WORDS = `
password passwort passphrase pass motdepasse contrasena senha wachtwoord parola haslo heslo
salasana admin administrator root superuser sysadmin system server user username guest owner
operator manager login signin logon welcome willkommen bienvenue hello hallo letmein letmeinnow
openup opensesame access secret secrets topsecret mysecret private default changeme changeit
changethis change setup install test tester testing testtest temp temporary demo sample example
dummy foobar nothing whatever qwerty qwertz azerty qwertyuiop qwertzuiop azertyuiop asdf asdfgh
asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc wsxedc qweasd qweasdzxc qweasdzxcv poiuytrewq lkjhgfdsa
mnbvcxz abc abcd abcdef abcdefg abcdefgh abcdefghij abcdefghijkl abcdefghijklmnop alphabet
iloveyou iloveu loveyou lovely lover love mylove loveme trustno trustnoone trustme believe dragon
dragons dragonball mydragon blackdragon reddragon monkey monkeys tiger tigers lion eagle eagles
falcon wolf wolves bear bears panther shark dolphin dolphins horse kitten kitty puppy princess
prince queen king kingdom angel angels babygirl babyboy baby sweetie sweetheart honey sunshine
sunflower flower flowers rainbow butterfly summer winter spring autumn january february march
april may june july august september october november december monday tuesday wednesday thursday
friday saturday sunday weekend holiday christmas easter birthday happy happiness smile football
baseball basketball hockey soccer tennis golf rugby cricket racing racecar ferrari porsche
mercedes bmw audi toyota honda yamaha kawasaki harley mustang corvette camaro chevrolet chevy ford
liverpool chelsea arsenal manchester manchesterunited barcelona realmadrid juventus milan bayern
superman batman spiderman ironman wonderwoman starwars startrek skywalker vader matrix gandalf
pokemon pikachu naruto sasuke minecraft fortnite warcraft starcraft playstation xbox nintendo
zelda mario sonic master shadow hunter ranger killer soldier warrior knight ninja samurai pirate
wizard magic mystic phoenix thunder lightning storm blizzard hurricane tornado fire ice diamond
silver golden gold platinum copper computer internet network wireless keyboard monitor laptop
desktop windows linux ubuntu debian raspberry macbook iphone samsung google facebook twitter
instagram youtube amazon microsoft apple oracle cisco android gmail yahoo hotmail outlook email
bitcoin bitcoins ethereum crypto cryptocurrency blockchain satoshi nakamoto hodl tothemoon moon
lambo trading trader tradingbot tradingview binance coinbase kraken bybit kucoin woox upbit okx
exchange wallet altcoin dogecoin shiba cardano solana ripple litecoin tether profit money
moneymoney million millionaire billion billionaire rich richer bank banking investor invest dollar
euro pound freedom forever together family mother father mommy daddy brother sister grandma
grandpa friend friends michael jennifer jessica ashley daniel thomas andrew joshua matthew
christopher nicholas alexander anthony robert william charlie george jordan harley maggie buster
ginger pepper cookie chocolate banana orange cheese coffee chicken pizza burger hamburger peanut
butter vanilla cherry strawberry blueberry watermelon pineapple america american canada england
london paris berlin germany deutschland france italia spain espana mexico brazil australia newyork
california texas florida chicago boston denver dallas houston seattle losangeles lasvegas
hollywood jesus jesuschrist christ god godisgood blessed heaven faith hope grace amen bible church
fuckyou fuckoff fuck asshole bitch bullshit shit pussy sexy sex correcthorsebatterystaple
correcthorse batterystaple thequickbrownfox quickbrownfox loremipsum thisisapassword
thisismypassword mypassword yourpassword newpassword oldpassword nopassword strongpassword
securepassword supersecret verysecret supersecretpassword secretpassword passwordpassword
adminadmin adminpassword rootpassword rootroot toor welcomehome letmeinplease homeserver
raspberrypi synology homeassistant homelab selfhosted docker portainer postgres database
`;

/** Runs on keyboards and in alphabets; a password that is one long run is refused. */
const RUNS = [
  "01234567890123456789",
  "abcdefghijklmnopqrstuvwxyz",
  "qwertyuiopasdfghjklzxcvbnm",
  "qwertzuiopasdfghjklyxcvbnm",
  "azertyuiopqsdfghjklmwxcvbn",
  "1q2w3e4r5t6y7u8i9o0p",
  "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
  "qazwsxedcrfvtgbyhnujm",
  "!@#$%^&*()_+",
];

/** The packaged words. */
export const COMMON_WORDS: ReadonlySet<string> = new Set(WORDS.trim().split(/\s+/));

const LEET: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
  "!": "i",
};

function letters(text: string): string {
  return text.replace(/[^a-z]/g, "");
}

/** Plain readings of a password: as typed, without digits, with digits read as letters. */
function readings(password: string): string[] {
  const lower = password.toLowerCase().replace(/[\s._-]+/g, "");
  const stripped = lower.replace(/[^a-z]+$/, "").replace(/^[^a-z]+/, "");
  const undisguise = (text: string) => text.replace(/[013457@$!]/g, (sign) => LEET[sign] ?? sign);
  return [letters(lower), letters(undisguise(stripped)), letters(undisguise(lower))];
}

/** True when the text is made of common words alone, e.g. `dragonmaster` or `summersummer`. */
function isMadeOfWords(repeated: string): boolean {
  const text = repeated.replace(/^(.+?)\1+$/, "$1");
  const reachable = new Set([0]);
  for (let end = 1; end <= text.length; end++) {
    const starts = [...reachable];
    if (starts.some((start) => COMMON_WORDS.has(text.slice(start, end)))) reachable.add(end);
  }
  return reachable.has(text.length) && !isPhrase(text);
}

// Several words in a row are a phrase, and long phrases are good passwords.
function isPhrase(text: string): boolean {
  return text.length >= 24 && !COMMON_WORDS.has(text);
}

function isRun(password: string): boolean {
  const text = password.toLowerCase();
  for (const run of RUNS) {
    const line = run + run;
    const back = [...line].reverse().join("");
    if (line.includes(text) || back.includes(text)) return true;
  }
  return /^(.{1,4})\1+.{0,3}$/.test(text);
}

/** True when guessing programs try the password early. */
export function isCommonPassword(password: string): boolean {
  if (isRun(password)) return true;
  const digits = password.replace(/\D/g, "").length;
  if (digits === password.length) return true;
  return readings(password).some((reading) => reading.length > 0 && isMadeOfWords(reading));
}
