import { StringDecoder } from 'node:string_decoder'

const longestLine = 64 << 10
const tailSize = 64 << 10

export interface LineSink {
  add(chunk: Buffer): void
  /** Gives what came after the last line end. */
  end(): void
}

/** Cuts a stream of UTF-8 into lines at LF or CR LF; a line of more than 64 KiB comes in pieces. */
export const eachLine = (onLine: (line: string) => void): LineSink => {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const give = (line: string): void => onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
  return {
    add(chunk) {
      const lines = (rest + decoder.write(chunk)).split('\n')
      rest = lines.pop() as string
      for (const line of lines) give(line)
      for (; rest.length > longestLine; rest = rest.slice(longestLine)) onLine(rest.slice(0, longestLine))
    },
    end() {
      rest += decoder.end()
      if (rest !== '') give(rest)
      rest = ''
    },
  }
}

export interface Tail {
  add(line: string): void
  /** The last lines that are not blank. */
  last(count: number): string[]
  text(): string
}

/** Keeps the last 64 KiB of lines. */
export const createTail = (): Tail => {
  const lines: string[] = []
  let size = 0
  return {
    add(line) {
      lines.push(line)
      size += line.length + 1
      while (size > tailSize && lines.length > 1) size -= (lines.shift() as string).length + 1
    },
    last: (count) => lines.filter((line) => line.trim() !== '').slice(-count),
    text: () => lines.join('\n'),
  }
}
