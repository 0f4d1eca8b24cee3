/*
 * Numbers as people read them: presets by name ("percent", "dollar", "compact") and printf forms
 * ("%.2f kg"). Without a form a number is written in the reader's own language.
 */
import { Decimal128, type Value } from "./bson";

const locale = () => navigator.language;
const CURRENCIES: Record<string, string> = { dollar: "USD", euro: "EUR", yen: "JPY" };
const BYTES = ["B", "KB", "MB", "GB", "TB", "PB"];

/** A number as a text; `form` is a preset's name or a printf form. */
export function formatNumber(value: number | bigint, form?: string): string {
  if (!form) return localized(value, 4);
  if (form.includes("%")) return printf(form, Number(value));
  if (CURRENCIES[form]) {
    return new Intl.NumberFormat(locale(), {
      style: "currency",
      currency: CURRENCIES[form],
      currencyDisplay: "narrowSymbol",
      ...(isWhole(value) && { maximumFractionDigits: 0 }),
    }).format(value);
  }
  switch (form) {
    case "plain":
      return String(value);
    case "localized":
      return localized(value, 4);
    case "percent":
      return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 2 }).format(
        value,
      );
    case "compact":
      return new Intl.NumberFormat(locale(), {
        notation: "compact",
        maximumFractionDigits: 1,
      }).format(value);
    case "scientific":
      return new Intl.NumberFormat(locale(), {
        notation: "scientific",
        maximumFractionDigits: 3,
      }).format(value);
    case "engineering":
      return new Intl.NumberFormat(locale(), {
        notation: "engineering",
        maximumFractionDigits: 3,
      }).format(value);
    case "accounting":
      return accounting(value);
    case "bytes":
      return bytes(Number(value));
    default:
      return localized(value, 4);
  }
}

function isWhole(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isInteger(value);
}

function localized(value: number | bigint, digits: number): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

/** Two places, and what is below zero in brackets. */
function accounting(value: number | bigint): string {
  const text = new Intl.NumberFormat(locale(), {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
    signDisplay: "never",
  }).format(value);
  return value < 0 ? `(${text})` : text;
}

function bytes(value: number): string {
  let step = 0;
  while (Math.abs(value) >= 1000 && step < BYTES.length - 1) {
    value /= 1000;
    step++;
  }
  return `${localized(value, 1)} ${BYTES[step]}`;
}

/** The part of printf that numbers need: flags, width, precision and d, i, u, f, e, g, x, s. */
function printf(form: string, value: number): string {
  return form.replace(
    /%([-+ 0#,']*)(\d+)?(?:\.(\d+))?([diufFeEgGxXs%])/g,
    (_all, flags: string, width: string, precision: string, kind: string) => {
      if (kind === "%") return "%";
      let text = convert(
        Math.abs(value),
        kind,
        precision === undefined ? undefined : Math.min(100, Number(precision)),
      );
      if (/[,']/.test(flags))
        text = text.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));
      const sign = value < 0 ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
      const room = Math.min(100, Number(width ?? 0));
      if (flags.includes("-")) return (sign + text).padEnd(room);
      if (flags.includes("0")) return sign + text.padStart(room - sign.length, "0");
      return (sign + text).padStart(room);
    },
  );
}

function convert(value: number, kind: string, precision: number | undefined): string {
  switch (kind) {
    case "d":
    case "i":
    case "u":
      return String(Math.round(value));
    case "x":
      return Math.round(value).toString(16);
    case "X":
      return Math.round(value).toString(16).toUpperCase();
    case "e":
    case "E":
      return exponent(value.toExponential(precision ?? 6), kind === "E");
    case "g":
    case "G":
      return String(Number(value.toPrecision(Math.max(1, precision ?? 6))));
    case "s":
      return String(value);
    default:
      return value.toFixed(precision ?? 6);
  }
}

function exponent(text: string, isUpper: boolean): string {
  const padded = text.replace(/e([+-])(\d)$/, "e$10$2");
  return isUpper ? padded.toUpperCase() : padded;
}

/** How many places behind the point a number is written with. */
export function placesOf(value: number): number {
  const text = String(value);
  if (text.includes("e-")) return Math.min(20, Number(text.split("e-")[1]));
  return text.split(".")[1]?.length ?? 0;
}

/** A step's multiple without the dust of binary fractions: 0.1 + 0.2 is 0.3. */
export function tidy(value: number, step: number): number {
  return Number(
    value.toFixed(
      Math.min(20, Math.max(placesOf(step), placesOf(value) > 12 ? 0 : placesOf(value))),
    ),
  );
}

/** Any value as a figure or a text, for a metric. */
export function formatValue(value: Value, form?: string): string {
  if (typeof value === "number" || typeof value === "bigint") return formatNumber(value, form);
  if (value instanceof Decimal128) {
    const number = Number(value.text);
    return form && Number.isFinite(number) ? formatNumber(number, form) : value.text;
  }
  if (value instanceof Date) return formatDate(value);
  return String(value);
}

const DAY: Intl.DateTimeFormatOptions = { year: "numeric", month: "short", day: "numeric" };
const TIME: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
const MOMENTS: Record<string, Intl.DateTimeFormatOptions> = {
  date: DAY,
  time: TIME,
  datetime: { ...DAY, ...TIME },
};

/** In the reader's time zone; `isUtc` for whole days, which are the same everywhere. */
export function formatDate(date: Date, form = "datetime", isUtc = false): string {
  if (Number.isNaN(date.getTime())) return "a date out of range";
  const style = MOMENTS[form];
  if (!style) return formatLetters(date, form, isUtc);
  return new Intl.DateTimeFormat(locale(), { ...style, ...(isUtc && { timeZone: "UTC" }) }).format(
    date,
  );
}

/** YYYY-MM-DD HH:mm:ss and their shorter forms; MMM is the month's name. */
function formatLetters(date: Date, form: string, isUtc: boolean): string {
  const shown = isUtc ? date : new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  const [, year, month, day, hour, minute, second] =
    /^[+-]?(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/.exec(shown.toISOString()) as unknown as string[];
  const name = () =>
    new Intl.DateTimeFormat(locale(), { month: "short", timeZone: "UTC" }).format(shown);
  const parts: Record<string, string> = {
    YYYY: year!,
    YY: year!.slice(-2),
    MM: month!,
    M: String(Number(month)),
    DD: day!,
    D: String(Number(day)),
    HH: hour!,
    H: String(Number(hour)),
    mm: minute!,
    ss: second!,
  };
  return form.replace(/YYYY|YY|MMM|MM|M|DD|D|HH|H|mm|ss/g, (word) =>
    word === "MMM" ? name() : parts[word]!,
  );
}

/** 8.4 s, 2 min 5 s. */
export function formatTime(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.floor(ms / 1000) % 60} s`;
}
