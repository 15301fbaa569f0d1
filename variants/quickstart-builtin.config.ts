// The quickstart with a kernel of its own: compiled from Debian's sources, small, with the initramfs linked in.
import quickstart, { base } from './quickstart.config.ts'

export default quickstart.variant({
  name: 'quickstart-builtin',
  plugins: {
    kernel: {
      source: base.tree(['linux-source-6.12']),
      config: { base: 'tinyconfig', fragments: ['config/quickstart/kernel.config'] },
      localVersion: '-quickstart',
      modules: { stage1: ['virtio_pci', 'virtio_net', 'virtio_blk', 'af_packet', 'qemu_fw_cfg'] },
      embed: 'builtin',
      stub: undefined,
      // On a loaded machine that emulates it, the test of the timer sees no tick and gives up.
      cmdline: 'console=ttyS0 panic=10 no_timer_check quiet',
      diskSize: 64,
    },
  },
})
