/// What files of certificates, requests and revocation lists hold, in words for people.
@NullMarked
package dev.holdfast.protocol.inspect;

import org.jspecify.annotations.NullMarked;
