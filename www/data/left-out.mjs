// Words that a page shown to strangers can do without: the first 8 hex digits of their SHA-256, so
// that this file need not print them.
export const LEFT_OUT = new Set([
  "0033728f", "0508a634", "0632813d", "08a841e9", "0cf97c16", "11cf8376", "120f6e5b", "158869a9", "16ea09fc",
  "1e02eec4", "268651b3", "30a989af", "31506a84", "3b1e0d7c", "45cd3e1b", "517ae3f7", "522788b6", "566f532d",
  "59cc3cb8", "5a9d9dce", "5af6e7f0", "5b3ae48b", "6ac3c336", "78a00d18", "7920e3b1", "82159dd0", "85fc17f7",
  "867d7897", "886d51e9", "8c5c0439", "8f5083e3", "937d56e4", "986c9900", "98b52c4b", "9915ba2d", "9ae315a9",
  "a40ccba8", "a6ee0e6b", "a76d588d", "ab26f696", "acf45488", "ad6cacf3", "b690cdbe", "bb61ef40", "bb87adf8",
  "bd331fb1", "be00f1af", "be2db2bf", "c22f315f", "c2c3b68b", "c3de533e", "cc020323", "d75a838d", "daec0c23",
  "dcb85fcf", "dd32831e", "e84dde50", "eb9b0354", "ebc98c1e", "eef3bd09", "f59e28f8", "f6952d6e", "f9d0d9b1",
]);
