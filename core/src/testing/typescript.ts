// `node --import @zos/core/typescript --test`: tests in TypeScript run as configs do, without a compiler.
import 'jiti/register'
