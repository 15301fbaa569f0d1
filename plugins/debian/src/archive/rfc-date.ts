const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const daysBefore = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0

/**
 * `Wed, 18 Nov 2026 22:17:41 UTC` (RFC 5322, as Release files write it) as seconds since 1970; `undefined` for anything
 * else. Only UTC, GMT and numeric zones are read.
 */
export const parseRfcDate = (text: string): number | undefined => {
  const match =
    /^(?:[A-Z][a-z]{2},\s+)?(\d{1,2})\s+([A-Z][a-z]{2})\s+(\d{4})\s+(\d{1,2}):(\d{2}):(\d{2})\s+(?:UTC|GMT|Z|([+-])(\d{2})(\d{2}))$/.exec(
      text.trim(),
    )
  if (!match) return undefined
  const [day, year, hour, minute, second] = [match[1], match[3], match[4], match[5], match[6]].map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const month = months.indexOf(match[2]!)
  if (month < 0 || year < 1970 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined
  const past = year - 1
  const leapDays = Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) - 477
  const days = (year - 1970) * 365 + leapDays + daysBefore[month]! + (month > 1 && isLeap(year) ? 1 : 0) + day - 1
  const zone = match[7] ? (match[7] === '-' ? -1 : 1) * (Number(match[8]) * 3600 + Number(match[9]) * 60) : 0
  return days * 86400 + hour * 3600 + minute * 60 + second - zone
}
