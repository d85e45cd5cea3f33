import './node-24.js';

// as in Lambda, whose functions run in threads of this process and share its time zone
process.env.TZ = 'UTC';

const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2));
