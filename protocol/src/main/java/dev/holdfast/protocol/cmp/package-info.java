/// The Certificate Management Protocol (RFC 9810, RFC 9483): messages, their protection, and answers to them.
/// No I/O.
@NullMarked
package dev.holdfast.protocol.cmp;

import org.jspecify.annotations.NullMarked;
