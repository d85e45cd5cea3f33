// Plain JavaScript that every Node understands: the sources behind it are TypeScript and need Node 24.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `Tributary runs on Node 24, as Lambda does; this is Node ${process.versions.node}.\n` +
      'Run its commands through npm (npm start, npm test, npm run …): npm install brings Node 24 for Linux\n' +
      'and for macOS on Apple silicon. On other machines install Node 24 yourself and put it first in PATH.\n',
  );
  process.exit(1);
}
