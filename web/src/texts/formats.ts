/** Numbers, sizes and times as a language writes them. */
export interface Formats {
  number(value: number): string;
  decimal(value: number, digits?: number): string;
  percent(share: number): string;
  bytes(value: number): string;
  seconds(value: number): string;
  day(time: string): string;
  moment(time: string | number): string;
  ago(time: string | number, now?: number): string;
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
const AGES: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

export function formatsFor(locale: string): Formats {
  const number = new Intl.NumberFormat(locale);
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
  const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const decimal = (value: number, digits = 1) =>
    new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
      value,
    );
  const unit = (value: number, name: string, digits: number) =>
    new Intl.NumberFormat(locale, {
      style: "unit",
      unit: name,
      // The short form of bytes knows no plural.
      unitDisplay: name === "byte" ? "long" : "short",
      maximumFractionDigits: digits,
    }).format(value);
  return {
    decimal,
    number: (value) => number.format(value),
    percent: (share) => percent.format(share),
    bytes(value) {
      const step = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3));
      const shown = value / 1000 ** step;
      return unit(shown, UNITS[step] ?? "byte", shown < 10 && step > 0 ? 1 : 0);
    },
    seconds: (value) =>
      value < 60 ? unit(value, "second", value < 10 ? 1 : 0) : unit(value / 60, "minute", 1),
    day: (time) => day.format(new Date(time)),
    moment: (time) => moment.format(new Date(time)),
    ago(time, now = Date.now()) {
      const seconds = (new Date(time).getTime() - now) / 1000;
      const [name, size] = AGES.find(([, least]) => Math.abs(seconds) >= least) ?? ["second", 1];
      return name === "second"
        ? relative.format(0, "second")
        : relative.format(Math.round(seconds / size), name);
    },
  };
}
