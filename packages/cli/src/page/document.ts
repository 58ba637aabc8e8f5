/** The page before its script has run. */
export const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>redislock</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/page.css">
<body>
<noscript>This page needs JavaScript.</noscript>
<script type="module" src="/page.js"></script>
`;
