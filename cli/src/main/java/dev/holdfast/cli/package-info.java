/// The operator's command line, over the public API.
@NullMarked
package dev.holdfast.cli;

import org.jspecify.annotations.NullMarked;
