/// What may be installed: trust anchors, artifacts, releases whose signature has been verified.
@NullMarked
package dev.holdfast.firmware;

import org.jspecify.annotations.NullMarked;
