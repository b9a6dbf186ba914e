// The measures of a recording's quality: bounds of short clips, and the same on every instruction set.
#pragma once

void test_quality();
