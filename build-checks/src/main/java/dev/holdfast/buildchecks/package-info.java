/// Our own build rules: names, arrows, sizes. Used by the tests of every module.
@NullMarked
package dev.holdfast.buildchecks;

import org.jspecify.annotations.NullMarked;
