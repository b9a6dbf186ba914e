// The features against plain loops.
#pragma once

void test_features();
