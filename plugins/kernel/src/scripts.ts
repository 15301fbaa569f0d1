// What runs in the sandbox. The sources lie in `linux`, objects in `linux/obj`: so `srctree` is `..` for the kernel's own
// build, and the same command lines come out wherever the working folder is.
import type { ModuleCompression } from './options.js'
import type { KernelTarget } from './target.js'

/** Folders of `arch/` in Linux 6.x. */
const architectures = [
  ...['alpha', 'arc', 'arm', 'arm64', 'csky', 'hexagon', 'loongarch', 'm68k', 'microblaze', 'mips', 'nios2'],
  ...['openrisc', 'parisc', 'powerpc', 'riscv', 's390', 'sh', 'sparc', 'um', 'x86', 'xtensa'],
]

const tarOptions = '--sort=name --format=gnu --owner=0 --group=0 --numeric-owner'

/** `date`'s own words for the time of the sources, as the kernel's build would put the time of today there. */
const timestamp = 'export KBUILD_BUILD_TIMESTAMP="$(date -u -d "@$(cat linux/obj/zos.time)")"'

/** An archive may hold its files in one folder, as releases do, or at its root. */
export const sourceScript = `
mkdir -p patches
if [ -e source.tar ]; then
  mkdir unpacked
  tar -xf source.tar -C unpacked
  if [ ! -e unpacked/Kconfig ]; then set -- unpacked/*; else set -- unpacked; fi
  [ $# = 1 ] && [ -e "$1/Kconfig" ] || { echo "error: the archive holds no Linux: there is no Kconfig in it" >&2; exit 1; }
  mv "$1" linux
else
  mv tree linux
fi
time=$(stat -c %Y linux/Makefile)
for patch in patches/*.patch; do
  [ -e "$patch" ] || continue
  echo "  PATCH   $patch"
  patch -d linux -p1 --batch --forward --no-backup-if-mismatch --fuzz=0 <"$patch" ||
    { echo "error: $patch does not fit" >&2; exit 1; }
done
cd linux
rm -rf .git tools/testing
find Documentation -mindepth 2 -delete
echo '  TAR     kconfig.tar.zst'
find . \\( -name 'Kconfig*' -o -path './scripts/*' -o -path './arch/*/configs/*' -o -path './kernel/configs/*' \\
  -o -path './arch/*/Makefile*' -o -path ./Makefile -o -name 'localversion*' \\) -type f | sort |
  tar ${tarOptions} --mtime="@$time" --no-recursion -T - -cf - | zstd -q -3 -o ../kconfig.tar.zst
echo '  TAR     linux.tar.zst'
tar ${tarOptions} --mtime="@$time" -cf - . | zstd -q -1 -T0 -o ../linux.tar.zst
`

export const configureScript = (target: string | undefined): string => `
mkdir -p linux/obj
zstd -qdc kconfig.tar.zst | tar -xf - -C linux
cd linux
${target === undefined ? 'cp ../base obj/.config' : `make -s O=obj ${target}`}
cat ../lines >>obj/.config
make -s O=obj olddefconfig
cp obj/.config ../config
make -s O=obj kernelversion >../version
find . -maxdepth 1 -name 'localversion*' | sort | xargs -r cat >>../version
`

export const kconfigScript = `
mkdir kconfig
zstd -qdc kconfig.tar.zst | tar -xf - -C kconfig --wildcards '*Kconfig*'
find kconfig -type f ! -name 'Kconfig*' -delete
`

/**
 * Kconfig files of all architectures are read, whichever is built. What a relink reads goes into objects.tar: the members of vmlinux.a in their order (a list, since the archive is a thin
 * one), what turns vmlinux into an image, and every file that these were made of. Nothing that has the old initramfs in
 * it is among them, so that no comparison of times can keep it. All lie at one time.
 */
export const compileScript = ({ arch, image, imagePath, reads, includes }: KernelTarget): string => `
mkdir linux
zstd -qdc linux.tar.zst | tar -xf - -C linux${architectures
  .filter((name) => !reads.includes(name))
  .map((name) => ` --exclude=./arch/${name}/*/*`)
  .join('')}
zstd -qdc kconfig.tar.zst | tar -xf - -C linux
rm linux.tar.zst
mkdir linux/obj
stat -c %Y linux/Makefile >linux/obj/zos.time
cp config linux/obj/.config
${timestamp}
cd linux
modules=$(grep -qx CONFIG_MODULES=y ../config && echo modules || :)
make O=obj ${image} $modules
cmp -s obj/.config ../config || { echo 'error: the build changed .config' >&2; exit 1; }
cp obj/${imagePath} ../image
cp obj/System.map ../System.map
cp obj/include/config/kernel.release ../release
# What the main makefile exports to those of the parts, for the relink (run-command is there since 6.1).
export -p | sed -n 's/^export \\([A-Za-z0-9_]*\\).*/\\1/p' >../names
cat >../environment.sh <<'END'
unset $(cat ../../names) MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAKE_TERMOUT MAKE_TERMERR PWD OLDPWD O KBUILD_RUN_COMMAND
export -p
END
make -s O=obj run-command KBUILD_RUN_COMMAND='sh ../../environment.sh' >obj/zos.environment
sed -i "s,$PWD,@linux@,g" obj/zos.environment
mkdir ../modules
if [ "$modules" ]; then
  make O=obj modules_install INSTALL_MOD_PATH="$PWD/../installed" INSTALL_MOD_STRIP=1 DEPMOD=true
  rm -f ../installed/lib/modules/*/build ../installed/lib/modules/*/source
  mv ../installed/lib/modules/*/* ../modules
  cat >../headers.sh <<'END'
exec "$srctree/scripts/package/install-extmod-build" ../../headers
END
  make -s O=obj run-command KBUILD_RUN_COMMAND='sh ../../headers.sh'
fi
mkdir -p ../headers
tar ${tarOptions} --mtime=@315532800 -C ../headers -cf - . | zstd -q -3 -T0 -o ../headers.tar.zst

cd obj
ar t vmlinux.a >zos.members
{
  cat zos.members
  for library in $(find arch lib drivers/firmware/efi/libstub -name 'lib.a'); do echo $library; ar t $library; done
  ls .config .vmlinux.cmd zos.environment zos.members zos.time .vmlinux.export.o .vmlinux.o.cmd 2>/dev/null || :
  ls include/config/auto.conf include/config/kernel.release scripts/basic/fixdep arch/${arch}/kernel/vmlinux.lds${includes.map((path) => ` ../${path}`).join('')}
  ls scripts/kallsyms scripts/sorttable tools/objtool/objtool tools/bpf/resolve_btfids/resolve_btfids arch/${arch}/tools/relocs 2>/dev/null || :
  find include/generated arch/${arch}/include/generated arch/${arch}/boot -type f
  find .. -maxdepth 3 -path ../obj -prune -o -type f \\( -path '../scripts/*' -o -path '../usr/*' \\
    -o -path '../init/Makefile' -o -path '../init/version-timestamp.c' -o -path '../arch/${arch}/Makefile*' \\) -print
  find ../arch/${arch}/boot -path '*/dts/*' -prune -o -type f -print
  find ../include/linux/kconfig.h ../include/linux/compiler-version.h ../include/linux/hidden.h ../arch/${arch}/include/asm/bitsperlong.h \\
    ../arch/${arch}/include/uapi/asm/bitsperlong.h ../include/asm-generic/bitsperlong.h ../include/uapi/asm-generic/bitsperlong.h 2>/dev/null || :
  cat usr/.initramfs_data.o.cmd init/.version-timestamp.o.cmd $(find arch/${arch}/boot scripts/basic -name '.*.cmd') |
    tr ' ' '\\n' | grep -E '^(\\.\\./)?[A-Za-z0-9_./+-]+\\.[A-Za-z]+$' || :
} | sed -e 's,^\\./,,' -e '/^\\.\\./!s,^,obj/,' -e 's,^\\.\\./,,' | sort -u |
  grep -vE '^obj/(usr/|built-in\\.a$|arch/${arch}/boot/(bzImage|Image|vmlinux\\.bin|compressed/(vmlinux|piggy)))' |
  (cd .. && while read -r path; do [ ! -f "$path" ] || echo "$path"; done) >../../objects
tar ${tarOptions} --mtime=@315532800 --no-recursion -C .. -T ../../objects -cf ../../objects.tar
`

export const modulesScript = (compression: Exclude<ModuleCompression, 'none'>): string =>
  compression === 'xz'
    ? `find modules -name '*.ko' -print0 | xargs -0 -r -n 8 -P "$(nproc)" xz --check=crc32 --lzma2=dict=2MiB`
    : `find modules -name '*.ko' -print0 | xargs -0 -r -n 8 -P "$(nproc)" zstd -q --rm -19`

/**
 * Runs the makefiles of the kernel's parts in the environment that its main one had given them when it compiled. The
 * commands of the first link are those that it noted; only `usr/` is made anew before. Its thousands of small files lie in
 * memory where the sandbox has a folder of its own there.
 */
export const linkScript = ({ arch, image, imagePath }: KernelTarget, archive: string): string => `
out=$PWD
# Later than all that depends on it.
touch -d @315532801 ${archive}
if [ "\${TMPDIR:-}" ]; then
  mkdir "$TMPDIR/link"
  ln -s "$PWD/${archive}" "$TMPDIR/link/${archive}"
  cd "$TMPDIR/link"
fi
mkdir linux
tar -xf "$out/objects.tar" -C linux
rm "$out/objects.tar"
${timestamp}
cat >link.mk <<'END'
include .vmlinux.cmd
-include .vmlinux.o.cmd
.PHONY: vmlinux vmlinux.o
vmlinux: ; +$(savedcmd_vmlinux)
vmlinux.o: ; +$(savedcmd_vmlinux.o)
END
cd linux/obj
eval "$(sed "s,@linux@,\${PWD%/obj},g" zos.environment)"
make='make -rR --no-print-directory'
kbuild="$make -f ../scripts/Makefile.build"
$kbuild obj=usr need-builtin=1 CONFIG_INITRAMFS_SOURCE=../../${archive}
xargs "$AR" cDPrST vmlinux.a <zos.members
if grep -qE '^CONFIG_(LTO_CLANG|X86_KERNEL_IBT)=y' include/config/auto.conf; then $make -f ../../link.mk vmlinux.o; fi
$make -f ../../link.mk vmlinux
$kbuild obj=arch/${arch}/boot ${imagePath}
cmp -s usr/initramfs_inc_data ../../${archive} || { echo 'error: another archive is in the ${image}' >&2; exit 1; }
cp ${imagePath} "$out/image"
`
