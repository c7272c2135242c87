/// SCEP (RFC 8894), for old devices: messages and their protection, without any of the algorithms that made it
/// old.
@NullMarked
package dev.holdfast.protocol.scep;

import org.jspecify.annotations.NullMarked;
