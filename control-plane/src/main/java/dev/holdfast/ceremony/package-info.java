/// The root ceremony: a root's key is made, used and forgotten on a machine that no network reaches.
@NullMarked
package dev.holdfast.ceremony;

import org.jspecify.annotations.NullMarked;
