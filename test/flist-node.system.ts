// time limit: 2700 s
import { testNode } from './flist-node.js'

testNode(false)
