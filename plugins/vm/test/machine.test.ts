import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type AcceleratorFacts, decideAccelerator } from '../dist/accelerator.js'
import { cloudHypervisorCommand } from '../dist/cloud-hypervisor-command.js'
import { lastLines, Tail, TextWatch } from '../dist/console.js'
import { checkBridge, macOf, tapCommands } from '../dist/network.js'
import { diskCommand, type Machine, offeredKeys, qemuCommand, qemuVersion } from '../dist/qemu-command.js'

const intel = 'processor\t: 0\nflags\t\t: fpu vme vmx sse\nbugs\t\t: spectre_v1\n'
const plain = 'processor\t: 0\nflags\t\t: fpu vme sse\nbugs\t\t: vmx_itself\n'
const host: AcceleratorFacts = { guest: 'x86_64', host: 'x86_64', cpuinfo: intel, device: true, probe: 'userspace' }

test('KVM only where the processor, the device and a probe guest all say so', () => {
  const table: [Partial<AcceleratorFacts>, string][] = [
    [{}, 'kvm: a probe guest reached userspace'],
    [{ cpuinfo: intel.replace('vmx', 'svm') }, 'kvm: a probe guest reached userspace'],
    [{ probe: undefined }, 'probe'],
    [{ probe: 'silent' }, 'tcg: KVM is there, but a probe guest did not reach userspace'],
    [{ cpuinfo: plain }, 'tcg: no vmx/svm'],
    [{ cpuinfo: plain, probe: undefined }, 'tcg: no vmx/svm'],
    [{ cpuinfo: undefined }, 'tcg: no vmx/svm'],
    [{ device: false, probe: undefined }, 'tcg: no /dev/kvm'],
    [{ guest: 'aarch64', probe: undefined }, 'tcg: the image is aarch64, this machine x86_64'],
  ]
  for (const [facts, expected] of table) {
    const decision = decideAccelerator({ ...host, ...facts })
    assert.is(decision === 'probe' ? decision : `${decision.accelerator}: ${decision.reason}`, expected)
  }
})

const machine: Machine = {
  arch: 'x86_64',
  accelerator: 'tcg',
  boot: { by: 'kernel', kernel: '/d/vmlinuz', initramfs: '/d/initramfs.cpio.xz', cmdline: 'console=ttyS0 panic=1' },
  memory: 1024,
  cpus: 2,
  disks: [
    { path: '/d/vm/disk0.qcow2', format: 'qcow2' },
    { path: '/d,e/vm/disk1.qcow2', format: 'qcow2' },
  ],
  network: { by: 'user', sshPort: 2222 },
  authorizedKeys: '/d/vm/authorized_keys',
}

test('a machine by kernel and initramfs, as a command line', () => {
  const { file, args } = qemuCommand(machine)
  assert.is(file, 'qemu-system-x86_64')
  assert.is(
    args.join(' '),
    '-nodefaults -no-user-config -display none -no-reboot -machine q35,accel=tcg -cpu max -smp 2 -m 1024M ' +
      '-chardev stdio,id=console,mux=on,signal=off -serial chardev:console -mon chardev=console,mode=readline ' +
      '-kernel /d/vmlinuz -initrd /d/initramfs.cpio.xz -append console=ttyS0 panic=1 ' +
      '-drive if=none,id=disk0,format=qcow2,discard=unmap,file=/d/vm/disk0.qcow2 ' +
      '-device virtio-blk-pci,drive=disk0,serial=disk0 ' +
      '-drive if=none,id=disk1,format=qcow2,discard=unmap,file=/d,,e/vm/disk1.qcow2 ' +
      '-device virtio-blk-pci,drive=disk1,serial=disk1 ' +
      '-netdev user,id=net0,hostfwd=tcp:127.0.0.1:2222-:22 -device virtio-net-pci,netdev=net0,romfile= ' +
      '-fw_cfg name=opt/zos/authorized_keys,file=/d/vm/authorized_keys -device virtio-rng-pci',
  )
})

test('a machine by vmlinuz.efi has firmware whose variables alone may be written', () => {
  const boot = { by: 'efi', image: '/d/vmlinuz.efi', code: '/f/CODE.fd', variables: '/d/vm/vars.fd' } as const
  const bare = { disks: [], network: undefined, authorizedKeys: undefined }
  const { args } = qemuCommand({ ...machine, boot, accelerator: 'kvm', ...bare })
  const line = args.join(' ')
  assert.match(line, /-machine q35,accel=kvm -cpu host/)
  assert.match(line, /if=pflash,unit=0,format=raw,readonly=on,file=\/f\/CODE\.fd/)
  assert.match(line, /if=pflash,unit=1,format=raw,file=\/d\/vm\/vars\.fd -kernel \/d\/vmlinuz\.efi/)
  assert.not.match(line, /-initrd|-append|-netdev|-fw_cfg/)
})

test('a kernel with the initramfs in it needs no more; a command line that is built in is not overruled', () => {
  const boot = { by: 'kernel', kernel: '/d/vmlinuz.efi', initramfs: undefined, cmdline: undefined } as const
  assert.not.match(qemuCommand({ ...machine, boot }).args.join(' '), /-initrd|-append/)
})

test('a raw disk is what firmware starts first, and keeps nothing that is written to it', () => {
  const boot = { by: 'disk', disk: '/d/disk.img', code: '/f/CODE.fd', variables: '/d/vm/vars.fd' } as const
  const line = qemuCommand({ ...machine, boot }).args.join(' ')
  assert.match(
    line,
    'if=none,id=boot,format=raw,snapshot=on,file=/d/disk.img -device virtio-blk-pci,drive=boot,serial=boot,bootindex=0',
  )
  assert.not.match(line, '-kernel')
})

const mac = '52:54:00:12:34:56'

test('on a bridge QEMU asks its own helper, with an address of the machine', () => {
  const line = qemuCommand({ ...machine, network: { by: 'bridge', bridge: 'br0', mac } }).args.join(' ')
  assert.match(line, `-netdev bridge,id=net0,br=br0 -device virtio-net-pci,netdev=net0,romfile=,mac=${mac}`)
  assert.not.match(line, 'hostfwd')
  const folder = '/d'
  const here = macOf({ host: 'a', folder, port: 2222 })
  assert.match(here, /^52:54:00(:[0-9a-f]{2}){3}$/)
  assert.is(macOf({ host: 'a', folder, port: 2222 }), here)
  assert.is.not(macOf({ host: 'b', folder, port: 2222 }), here)
  for (const wrong of ['', 'br 0', 'a/b', '..', 'x'.repeat(16), 'br0,script=/x'])
    assert.throws(() => checkBridge(wrong), /expected the name of a bridge/)
})

test('cloud-hypervisor: raw disks, a tap device, the serial console', () => {
  const disks = [{ path: '/d/vm/disk0.raw', format: 'raw' }] as const
  const network = { by: 'tap', tap: 'zos2222', mac } as const
  const { file, args } = cloudHypervisorCommand({ ...machine, disks, network })
  assert.is(file, 'cloud-hypervisor')
  assert.is(
    args.join(' '),
    '--kernel /d/vmlinuz --initramfs /d/initramfs.cpio.xz --cmdline console=ttyS0 panic=1 --cpus boot=2 --memory size=1024M ' +
      `--disk path=/d/vm/disk0.raw --net tap=zos2222,mac=${mac} --serial tty --console off --rng src=/dev/urandom`,
  )
  assert.equal(tapCommands('zos2222', 'br0'), {
    make: [
      { file: 'ip', args: ['tuntap', 'add', 'dev', 'zos2222', 'mode', 'tap'] },
      { file: 'ip', args: ['link', 'set', 'zos2222', 'master', 'br0', 'up'] },
    ],
    remove: { file: 'ip', args: ['link', 'delete', 'zos2222'] },
  })
})

test('cloud-hypervisor starts a disk by its firmware; a file it cannot start so, and no comma in a path', () => {
  const boot = { by: 'disk', disk: '/d/disk.img', code: '/f/CLOUDHV.fd', variables: undefined } as const
  const bare = { ...machine, disks: [], network: undefined }
  const { args } = cloudHypervisorCommand({ ...bare, boot })
  assert.match(
    args.join(' '),
    '--firmware /f/CLOUDHV.fd --cpus boot=2 --memory size=1024M --disk path=/d/disk.img,readonly=on --serial',
  )
  const efi = { by: 'efi', image: '/d/vmlinuz.efi', code: '/f', variables: '/v' } as const
  assert.throws(() => cloudHypervisorCommand({ ...bare, boot: efi }), /starts a disk, not a file/)
  const disks = [{ path: '/a,b', format: 'raw' }] as const
  assert.throws(() => cloudHypervisorCommand({ ...machine, disks }), /cannot be given to cloud-hypervisor/)
})

test('aarch64 has its own board and console', () => {
  const { file, args } = qemuCommand({ ...machine, arch: 'aarch64' })
  assert.is(file, 'qemu-system-aarch64')
  assert.ok(args.includes('virt,accel=tcg'))
})

test('a path that would break an option is refused', () => {
  assert.throws(() => qemuCommand({ ...machine, disks: [{ path: '/a\nb', format: 'raw' }] }), /cannot be given to QEMU/)
  assert.equal(diskCommand({ path: '/x.qcow2', format: 'qcow2' }, '10G').args, [
    'create',
    '-q',
    '-f',
    'qcow2',
    '/x.qcow2',
    '10G',
  ])
  assert.equal(diskCommand({ path: '/x.raw', format: 'raw' }, '10G'), {
    file: 'truncate',
    args: ['-s', '10G', '/x.raw'],
  })
})

test('the name under which keys are offered is one that QEMU leaves to its users', () => {
  assert.match(offeredKeys, /^opt\/[a-z_/]{1,51}$/)
})

test('versions', () => {
  assert.is(qemuVersion('QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright'), '7.2.22')
  assert.is(qemuVersion('nothing'), 'unknown')
})

test('property: a text is found wherever chunks begin and end, and only if it is there', () => {
  const bytes = fc.string({ unit: fc.constantFrom('a', 'b', 'ü'), maxLength: 30 })
  const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 10 })
  fc.assert(
    fc.property(
      bytes,
      fc.string({ unit: fc.constantFrom('a', 'b', 'ü'), minLength: 1, maxLength: 5 }),
      cuts,
      (all, text, sizes) => {
        const stream = Buffer.from(all)
        const watch = new TextWatch(text)
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length]!
          watch.push(stream.subarray(at, at + size))
          at += size
        }
        assert.is(watch.found, stream.includes(Buffer.from(text)))
      },
    ),
  )
})

test('the end of a console is shown without colours and empty lines', () => {
  const tail = new Tail(40)
  for (const part of ['x'.repeat(100), '\n\n', '\x1b[32mINFO\x1b[0m up\r\n', 'last']) tail.push(Buffer.from(part))
  assert.equal(lastLines(tail.text, 2), ['INFO up', 'last'])
})

test.run()
