/// The Certificate Management Protocol over HTTP (RFC 9810, RFC 9811, RFC 9483): who asks, transactions,
/// answers.
@NullMarked
package dev.holdfast.cmp;

import org.jspecify.annotations.NullMarked;
