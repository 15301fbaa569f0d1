import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createPlain } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isZosError } from '../dist/error.js'
import { bench } from './http-server.js'

const folder = mkdtempSync(join(tmpdir(), 'zos-tls-'))
const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]

const makeCertificate = (): boolean => {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const files = ['-keyout', key, '-out', cert]
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...subject], {
      stdio: 'ignore',
    })
    return true
  } catch (error) {
    console.log(`skip http over TLS: no certificate could be made (${(error as Error).message})`)
    return false
  }
}

if (makeCertificate()) {
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    if (request.url === '/down') response.writeHead(302, { location: 'http://localhost/file' }).end()
    else response.end('over TLS')
  })
  let tunnels = 0
  const proxy = createPlain().on('connect', (request, socket) => {
    tunnels++
    const through = connect(Number((request.url as string).split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(through).pipe(socket)
    })
    for (const end of [socket, through]) end.on('error', () => end.destroy())
  })
  const retry = { tries: 1, firstWait: 1, longestWait: 1 }
  let url = ''

  test.before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    url = `https://localhost:${(server.address() as AddressInfo).port}`
  })
  test.after(() => {
    for (const each of [server, proxy]) each.close().closeAllConnections()
    rmSync(folder, { recursive: true })
  })

  test('a certificate authority of one’s own is trusted by its file only', async () => {
    const { http, again, close } = await bench({ retry })
    await http.fetchText(`${url}/a`, { maxSize: 100 }).then(
      () => assert.unreachable(),
      (error: unknown) => {
        assert.ok(isZosError(error))
        assert.match(error.message, /certificate is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/)
        assert.match(error.hint.join(), 'SSL_CERT_FILE')
      },
    )
    const trusting = again({ env: { SSL_CERT_FILE: cert } })
    assert.is((await trusting.fetchText(`${url}/a`, { maxSize: 100 })).content, 'over TLS')
    await close()
  })

  test('TLS goes through a proxy’s tunnel, with the name of its host', async () => {
    const { http, close } = await bench({
      retry,
      env: { SSL_CERT_FILE: cert, https_proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` },
    })
    assert.is((await http.fetchText(`${url}/a`, { maxSize: 100 })).content, 'over TLS')
    assert.is(tunnels, 1)
    await close()
  })

  test('a redirect from https to http is refused', async () => {
    const { http, close } = await bench({ retry, env: { SSL_CERT_FILE: cert } })
    await http.fetchText(`${url}/down`, { maxSize: 100 }).then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, 'a redirect from https to plain http (http://localhost/file)'),
    )
    await close()
  })
}

test.run()
