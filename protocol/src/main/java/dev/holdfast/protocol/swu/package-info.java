/// SWUpdate images: the cpio container, its `sw-description`, and the CMS signature over it.
@NullMarked
package dev.holdfast.protocol.swu;

import org.jspecify.annotations.NullMarked;
