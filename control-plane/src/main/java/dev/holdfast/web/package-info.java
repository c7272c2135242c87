/// HTTP for people and scripts: the contract that routes and checks, who is asking, answers and problems.
@NullMarked
package dev.holdfast.web;

import org.jspecify.annotations.NullMarked;
