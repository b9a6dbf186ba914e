// TFgram against plain loops.
#pragma once

void test_tfgram();
