// time limit: 2700 s
// The node of flist-node.system.ts with all of Debian's modules, some 4,200, and two cards whose driver lies behind the flist.
import { testNode } from './flist-node.js'

testNode(true)
