import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { didYouMean } from '../config/closest.js'
import { ExitCode, ZosError } from '../error.js'
import { graphOf } from '../graph/graph.js'
import { type CliCommand, configOptions } from './command.js'
import { withDryRun } from './plan.js'

const formats = ['mermaid', 'dot', 'json', 'svg'] as const

const formatOf = (options: Readonly<Record<string, unknown>>): (typeof formats)[number] => {
  const output = options.output as string | undefined
  const asked =
    options.json === true
      ? 'json'
      : ((options.format as string | undefined) ?? /\.(dot|json|svg)$/.exec(output ?? '')?.[1] ?? 'mermaid')
  const found = formats.find((one) => one === asked)
  if (found) return found
  throw new ZosError('GRAPH_FORMAT', `--format ${asked}: expected ${formats.join(', ')}${didYouMean(asked, formats)}`, {
    exit: ExitCode.usage,
  })
}

export const graphCommand: CliCommand = {
  name: 'graph',
  summary: 'Draws what hangs on what: sources, components, the taps that make the tree, checks, outputs.',
  arguments: '[OUTPUT…]',
  options: {
    ...configOptions,
    format: { type: 'string', value: 'NAME', help: 'mermaid (default), dot, json or svg' },
    output: {
      type: 'string',
      value: 'FILE',
      help: 'write there; a name that ends in .svg, .dot or .json says the format',
    },
  },
  examples: ['zos graph', 'zos graph --output build.svg', 'zos graph vmlinuz.efi --format dot | dot -Tpdf'],
  run: (cli, args, options) => {
    const format = formatOf(options)
    return withDryRun(cli, options, args, async (run, session) => {
      const graph = graphOf(run, session)
      const { name } = session.config
      const text = async (): Promise<string> => {
        if (format === 'json') return `${JSON.stringify({ name, ...graph })}\n`
        if (format === 'svg') return (await import('../graph/svg.js')).graphSvg(graph, name)
        const { graphDot, graphMermaid } = await import('../graph/text.js')
        return format === 'dot' ? graphDot(graph) : graphMermaid(graph)
      }
      const file = options.output as string | undefined
      if (file === undefined) cli.out(await text())
      else {
        try {
          writeFileSync(resolve(cli.cwd, file), await text())
        } catch (cause) {
          throw new ZosError('GRAPH_WRITE', `${file} cannot be written: ${(cause as Error).message}`, {
            exit: ExitCode.usage,
            cause,
          })
        }
        cli.out(`${file}: ${graph.nodes.length} nodes, ${graph.edges.length} edges\n`)
      }
      return ExitCode.ok
    })
  },
}
