/// Where private keys are, and who may use them: in files, or in a hardware module.
@NullMarked
package dev.holdfast.keys;

import org.jspecify.annotations.NullMarked;
